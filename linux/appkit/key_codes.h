#import <stdint.h>

/// The code by which RFB's QEMU Extended Key Event knows a key: its place on a PC keyboard in scan code set 1, plus 0x80
/// where that has a prefix 0xe0. 0 when there is none.
/// @param keyCode An NSEvent's, which is X's: Linux's number of the key plus 8.
uint32_t pc_key_code(unsigned short keyCode);
