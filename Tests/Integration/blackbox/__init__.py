"""What the black-box tests see of Cortex: its command line, its ports, its processes and its logs."""
