"""The main job offline: a recorded network site, a Bot API server and a chat page, all on loopback."""
