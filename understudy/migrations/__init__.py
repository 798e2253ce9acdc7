"""The schema of the database: which version it has, and the steps from one version to the next and back."""
