"""Showing things in notebooks, and running notebooks."""
