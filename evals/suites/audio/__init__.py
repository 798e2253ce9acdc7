"""Audio: signals with known properties, analysers of different ability, and the servers that offer them."""
