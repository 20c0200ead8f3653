#import "qemu_command_line.h"

/// Adds a USB controller, and returns its name. Each has fifteen ports.
NSString *add_usb_controller(QemuCommandLine *commandLine);

/// The bus of a USB controller with a free port: of those that there are, else of one that is added.
NSString *usb_bus(QemuCommandLine *commandLine);
