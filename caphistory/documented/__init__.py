"""What is documented of privileges, and where the kernel disagrees."""
