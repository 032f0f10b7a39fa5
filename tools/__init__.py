"""Programs that look after the checkout; nothing of it is shipped."""
