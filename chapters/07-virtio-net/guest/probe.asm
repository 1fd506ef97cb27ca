; Asks a virtio device who it is, and agrees with it on features.
%include "real.inc"
%include "virtio.inc"

main:   say  "magic   "
        read MAGIC_VALUE
        call put_letters
        say  ", version "
        read VERSION
        mov  bl, 1
        call put_number
        say  ", device "
        read DEVICE_ID
        call put_number
        say  ", vendor "
        read VENDOR_ID
        call put_letters

        say  10, "offers  0x"
        write DEVICE_FEATURES_SEL, 1
        read DEVICE_FEATURES
        call put_hex32
        mov  al, '_'
        call put
        write DEVICE_FEATURES_SEL, 0
        read DEVICE_FEATURES
        call put_hex32

        say  10, "wants   MAC alone: "
        mov  ebx, F_MAC
        xor  ecx, ecx
        call try
        say  "wants   MAC and bit 24: "
        mov  ebx, F_MAC | 1 << 24
        mov  ecx, F_VERSION_1
        call try
        say  "wants   MAC and VERSION_1: "
        mov  ebx, F_MAC
        mov  ecx, F_VERSION_1
        call try

        say  "queues "
        xor  edx, edx
.queue: mov  [fs:dword BASE + QUEUE_SEL], edx
        read QUEUE_NUM_MAX
        test ax, ax
        jz   .mac
        mov  bl, 4
        call put_number
        inc  edx
        jmp  .queue

.mac:   say  " entries", 10, "MAC     "
        mov  edi, BASE + CONFIG
.byte:  mov  al, [fs:edi]
        call put_hex8
        inc  edi
        cmp  edi, BASE + CONFIG + 6
        je   .end
        mov  al, ':'
        call put
        jmp  .byte
.end:   say  10
        hlt

; Negotiates EBX and ECX, and tells the status.
try:    call negotiate
        push ax
        jz   .no
        say  "agreed"
        jmp  .tell
.no:    say  "refused"
.tell:  say  ", status 0x"
        pop  ax
        call put_hex8
        mov  al, 10
        jmp  put

; Prints the four letters in EAX, the lowest byte first.
put_letters:
        mov  cx, 4
.next:  call put
        shr  eax, 8
        loop .next
        ret
