"""What we do: one module per verb; decides through domain, acts through store and providers."""
