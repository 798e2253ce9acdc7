"""Requests and answers of the service, as a server and a client write and read them."""
