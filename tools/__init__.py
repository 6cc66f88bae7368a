"""What the project is developed with: measurements, faults, and what writes documents."""
