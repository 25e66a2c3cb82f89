"""The little that the training loops share."""
