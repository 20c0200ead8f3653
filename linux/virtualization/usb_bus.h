#import "qemu_command_line.h"

/// The bus of a USB controller with a free port. Each controller has fifteen; it is added with its first device.
NSString *usb_bus(QemuCommandLine *commandLine);
