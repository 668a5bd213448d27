"""What `make bench` measures. Speeds are ratios taken in one run where they can be: machines differ,
and drift.
"""
