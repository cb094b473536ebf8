"""A TCP proxy on loopback that can drop traffic silently, as a firewall that has lost its state does."""

import socket
import threading
from typing import Self


class Proxy:
    """Forwards connections to a port. After `drop` it accepts every connection and drops every byte without closing
    anything. After `restore` new connections work; the old ones stay dead."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._dropping = False
        self._epoch = 0  # raised by each `drop`; a connection of an earlier one is dead

    def start(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def drop(self) -> None:
        self._dropping = True
        self._epoch += 1

    def restore(self) -> None:
        self._dropping = False

    def stop(self) -> None:
        for opened in (self._listener, *self._sockets):
            opened.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # stopped
            epoch = -1 if self._dropping else self._epoch
            try:
                server = socket.create_connection(self._target)
            except OSError:  # the server refuses, and so does the proxy
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
