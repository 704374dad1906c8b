"""What runs the course: set-up, notebooks, practice, grading, bench. No lesson teaches it."""
