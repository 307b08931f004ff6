"""What a model sees of an image at once: patches, and the fields of convolutions."""
