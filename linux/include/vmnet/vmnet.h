/*
 * The part of vmnet.framework that makes networks for machines (macOS 26). Both kinds of object are given back by
 * CFRelease. On an older macOS none of these functions is there: who asks the loader for one at run time finds none, and
 * a program that is linked with them must not call any.
 */
#ifndef VMNET_VMNET_H
#define VMNET_VMNET_H

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t vmnet_return_t;
enum {
    VMNET_SUCCESS = 1000,
    VMNET_FAILURE = 1001,
    VMNET_MEM_FAILURE = 1002,
    VMNET_INVALID_ARGUMENT = 1003,
};

typedef uint32_t vmnet_mode_t;
enum {
    VMNET_HOST_MODE = 1000,
    VMNET_SHARED_MODE = 1001,
    VMNET_BRIDGED_MODE = 1002,
};

typedef struct ether_addr ether_addr_t;

typedef struct vmnet_network_configuration *vmnet_network_configuration_ref;
typedef struct vmnet_network *vmnet_network_ref;

/** NULL for all but host and shared mode. */
vmnet_network_configuration_ref vmnet_network_configuration_create(vmnet_mode_t mode, vmnet_return_t *status);

/** Any address of the subnet will do. Its first address is the network's, its second the host's, its last goes to all. */
vmnet_return_t vmnet_network_configuration_set_ipv4_subnet(vmnet_network_configuration_ref configuration,
                                                           const struct in_addr *subnet, const struct in_addr *mask);

vmnet_return_t vmnet_network_configuration_add_dhcp_reservation(vmnet_network_configuration_ref configuration,
                                                                const ether_addr_t *client, const struct in_addr *reservation);

/**
 * @param protocol IPPROTO_TCP or IPPROTO_UDP.
 * @param family AF_INET; no other is known here.
 * @param internal_port The guest's.
 * @param external_port The host's.
 * @param internal_address A struct in_addr: the guest's, which has to be a reserved one.
 */
vmnet_return_t vmnet_network_configuration_add_port_forwarding_rule(vmnet_network_configuration_ref configuration,
                                                                    uint8_t protocol, uint8_t family, uint16_t internal_port,
                                                                    uint16_t external_port, const void *internal_address);

/** No network can be made of such a configuration here: QEMU's always has DHCP. */
void vmnet_network_configuration_disable_dhcp(vmnet_network_configuration_ref configuration);
/** Nor of this one: it always has a name server. */
void vmnet_network_configuration_disable_dns_proxy(vmnet_network_configuration_ref configuration);
/** Guests reach nothing outside. */
void vmnet_network_configuration_disable_nat44(vmnet_network_configuration_ref configuration);
/** @param mtu 576 … 65535; 1500 by default. */
vmnet_return_t vmnet_network_configuration_set_mtu(vmnet_network_configuration_ref configuration, uint32_t mtu);

/** NULL, and VMNET_FAILURE, when another network has addresses of the subnet. */
vmnet_network_ref vmnet_network_create(vmnet_network_configuration_ref configuration, vmnet_return_t *status);
void vmnet_network_get_ipv4_subnet(vmnet_network_ref network, struct in_addr *subnet, struct in_addr *mask);

#ifdef __cplusplus
}
#endif
#endif
