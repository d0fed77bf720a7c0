"""What we say: files in, words out."""
