"""A real Kubernetes cluster in namespaces of its own: control plane, kubelets, containerd, a registry."""
