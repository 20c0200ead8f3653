#import "qemu_buses.h"

static int next_of_kind(QemuCommandLine *commandLine, NSString *kind) {
    return [[[commandLine identifierForKind:kind] substringFromIndex:[kind length]] intValue];
}

NSString *pci_place(QemuCommandLine *commandLine) {
    int place = next_of_kind(commandLine, @"disk");
    return [NSString stringWithFormat:@"addr=%x.%x,multifunction=on", 1 + place / 8, place % 8];
}

NSString *usb_bus(QemuCommandLine *commandLine) {
    enum { ports = 15 };
    int device = next_of_kind(commandLine, @"usbdevice");
    if (device % ports == 0) {
        [commandLine add:@"-device"
                   value:@"qemu-xhci,id=%@,p2=%d,p3=%d,%@", [commandLine identifierForKind:@"usb"], ports, ports, pci_place(commandLine)];
    }
    return [NSString stringWithFormat:@"usb%d.0", device / ports];
}
