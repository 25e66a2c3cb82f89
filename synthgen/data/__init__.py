"""What is read: files and frames, the schema inferred from them, and how rows are split."""
