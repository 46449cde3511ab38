"""`lakemesh check`: what the policy pack says of every stack of a mesh, before any of it is deployed."""
