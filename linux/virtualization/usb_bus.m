#import "usb_bus.h"

enum { ports = 15 };

NSString *add_usb_controller(QemuCommandLine *commandLine) {
    NSString *identifier = [commandLine identifierForKind:@"usb"];
    [commandLine addPCIDevice:@"qemu-xhci,id=%@,p2=%d,p3=%d", identifier, ports, ports];
    return identifier;
}

NSString *usb_bus(QemuCommandLine *commandLine) {
    NSUInteger controller = [commandLine numberForKind:@"usbdevice"] / ports;
    if (controller >= [commandLine countOfKind:@"usb"]) add_usb_controller(commandLine);
    return [NSString stringWithFormat:@"usb%lu.0", (unsigned long)controller];
}
