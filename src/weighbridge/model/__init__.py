"""What a model is: its digest, its files as they lie, and the private view that a check reads."""
