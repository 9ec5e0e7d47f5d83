"""What the gateway knows and says, as frozen values: readings, samples, the image, commands, the site."""
