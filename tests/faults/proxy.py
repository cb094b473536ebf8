"""A TCP proxy on loopback that can swallow what it is given, as a tunnel or a firewall does that has lost its state."""

import socket
import threading
from typing import Self


class Proxy:
    """Forwards to a port until `swallow`. From then on it takes every connection and every byte, and nothing arrives,
    nothing comes back and nothing is closed. After `restore` new connections work; the old ones stay dead."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._swallowing = False
        self._epoch = 0  # raised by each `swallow`; a connection of an earlier one is dead

    def start(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def swallow(self) -> None:
        self._swallowing = True
        self._epoch += 1

    def restore(self) -> None:
        self._swallowing = False

    def stop(self) -> None:
        for one in (self._listener, *self._sockets):
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # stopped
            epoch = -1 if self._swallowing else self._epoch
            try:
                server = socket.create_connection(self._target)
            except OSError:  # nobody is there: neither is the proxy
                client.close()
                continue
            self._sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target, epoch), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, epoch: int) -> None:
        try:
            while data := source.recv(65_536):
                if epoch == self._epoch:
                    target.sendall(data)
            if epoch == self._epoch:
                target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # one end has gone
