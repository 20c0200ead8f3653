#import "usb_bus.h"

NSString *usb_bus(QemuCommandLine *commandLine) {
    enum { ports = 15 };
    int device = [[[commandLine identifierForKind:@"usbdevice"] substringFromIndex:[@"usbdevice" length]] intValue];
    if (device % ports == 0) {
        [commandLine addPCIDevice:@"qemu-xhci,id=%@,p2=%d,p3=%d", [commandLine identifierForKind:@"usb"], ports, ports];
    }
    return [NSString stringWithFormat:@"usb%d.0", device / ports];
}
