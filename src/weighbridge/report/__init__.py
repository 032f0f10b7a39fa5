"""What people and other programs read: HTML, Markdown, SARIF and JUnit."""
