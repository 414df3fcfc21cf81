"""Turns results and errors into what a person or a program reads."""
