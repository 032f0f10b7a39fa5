"""Models as OCI images, and their evidence as referrers."""
