/* Apple has no such thing. On a Mac the host is on its guests' networks, and connects to a guest's address. */
#ifndef VMNET_GUEST_PORT_H
#define VMNET_GUEST_PORT_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A port of the host's loopback that leads to a port of a guest, for want of a way to the guest's address: QEMU's
 * networks are behind QEMU. Of the machines that run in this process the last that was started is meant. The port is
 * the same at each call, until the machine ends.
 *
 * For any thread but the one that the machine's queue works on: it waits for that, and for QEMU, some seconds at most.
 *
 * @param address A guest's IPv4 address, that it has by DHCP: "192.168.64.7".
 * @param port 1 … 65535.
 * @param is_udp 0 for TCP.
 * @return The host's port; 0 when no card of a running machine has the address; -1 when it could not be made.
 */
int guest_port_on_loopback(const char *address, int port, int is_udp);

#ifdef __cplusplus
}
#endif
#endif
