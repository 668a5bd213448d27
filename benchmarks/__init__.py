"""What `make bench` measures. All figures are ratios taken in one run: machines differ, and drift."""
