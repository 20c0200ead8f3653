#import "qemu_command_line.h"

/// A place on the PCI bus for a disk or a USB controller: eight share a slot, for a guest may have more disks than there
/// are slots. Devices of other kinds get what is free, so they have to be added later.
NSString *pci_place(QemuCommandLine *commandLine);
/// The bus of a USB controller with a free port. Each controller has fifteen; it is added with its first device.
NSString *usb_bus(QemuCommandLine *commandLine);
