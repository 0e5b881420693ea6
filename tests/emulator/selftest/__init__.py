"""What the emulator promises, checked through boto3 as any client would."""
