"""What people see: console, patients' pages, carriers' hooks."""
