"""What the doctor finds on machines that are made up, and on this one."""
