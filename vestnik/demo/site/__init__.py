"""A recorded network site: the pages and feeds of a network of libraries, served on loopback."""
