"""The scan of a producer's account: sample values go into the recogniser, and only what it says of them comes out."""
