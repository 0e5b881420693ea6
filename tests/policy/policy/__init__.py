"""What tools made for Terraform's plans make of ours."""
