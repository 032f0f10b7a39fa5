"""Read labelled examples in the formats that people have them in, as bytes that nobody vouches for."""
