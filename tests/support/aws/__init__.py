"""AWS in moto: speed, atomicity, and the calls that moto cannot play."""
