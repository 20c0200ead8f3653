#import "key_codes.h"
#import <linux/input-event-codes.h>

enum { first_x_code = 8 };

// Linux took its numbers from scan code set 1, up to F12. The others came later.
static const uint8_t later_keys[] = {
    [KEY_RO] = 0x73,
    [KEY_KATAKANA] = 0x78,
    [KEY_HIRAGANA] = 0x77,
    [KEY_HENKAN] = 0x79,
    [KEY_KATAKANAHIRAGANA] = 0x70,
    [KEY_MUHENKAN] = 0x7b,
    [KEY_KPJPCOMMA] = 0x5c,
    [KEY_KPENTER] = 0x9c,
    [KEY_RIGHTCTRL] = 0x9d,
    [KEY_KPSLASH] = 0xb5,
    [KEY_SYSRQ] = 0x54,
    [KEY_RIGHTALT] = 0xb8,
    [KEY_HOME] = 0xc7,
    [KEY_UP] = 0xc8,
    [KEY_PAGEUP] = 0xc9,
    [KEY_LEFT] = 0xcb,
    [KEY_RIGHT] = 0xcd,
    [KEY_END] = 0xcf,
    [KEY_DOWN] = 0xd0,
    [KEY_PAGEDOWN] = 0xd1,
    [KEY_INSERT] = 0xd2,
    [KEY_DELETE] = 0xd3,
    [KEY_MUTE] = 0xa0,
    [KEY_VOLUMEDOWN] = 0xae,
    [KEY_VOLUMEUP] = 0xb0,
    [KEY_KPEQUAL] = 0x59,
    [KEY_PAUSE] = 0xc6,
    [KEY_KPCOMMA] = 0x7e,
    [KEY_HANGEUL] = 0x72,
    [KEY_HANJA] = 0x71,
    [KEY_YEN] = 0x7d,
    [KEY_LEFTMETA] = 0xdb,
    [KEY_RIGHTMETA] = 0xdc,
    [KEY_COMPOSE] = 0xdd,
};

uint32_t pc_key_code(unsigned short keyCode) {
    int key = keyCode - first_x_code;
    if (key < KEY_ESC || key >= (int)sizeof later_keys) return 0;
    return key <= KEY_F12 ? (uint32_t)key : later_keys[key];
}
