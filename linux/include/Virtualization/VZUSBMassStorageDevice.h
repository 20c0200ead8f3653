#import <Foundation/Foundation.h>
#import <Virtualization/VZStorageDevice.h>
#import <Virtualization/VZUSBDevice.h>

@class VZUSBMassStorageDeviceConfiguration, UsbPlug;

/// A USB disk that can be attached and detached while a machine runs.
@interface VZUSBMassStorageDevice : VZStorageDevice <VZUSBDevice> {
  @private
    VZUSBMassStorageDeviceConfiguration *_configuration;
    VZUSBController *_controller;
    UsbPlug *_plug;
}
/// The configuration is copied.
- (instancetype)initWithConfiguration:(VZUSBMassStorageDeviceConfiguration *)configuration;
@end
