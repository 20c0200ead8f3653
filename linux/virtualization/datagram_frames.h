#ifndef DATAGRAM_FRAMES_H
#define DATAGRAM_FRAMES_H

/* QEMU takes a datagram of no bytes for the end of all frames, and reads no more. The socket drops those from now on. */
void drop_empty_datagrams(int socket);

#endif
