; Sends 64 frames four times, each time with fewer notifications and interrupts, and counts them. Its queue
; has 8 entries; a frame takes two descriptors, or one that is indirect.
%include "real.inc"
%include "virtio.inc"
%include "frames.inc"

FRAMES      equ 64
DATA        equ 22
LENGTH      equ IP_HEADER + 8 + DATA
TABLES      equ 0xd000          ; 8 indirect tables, 32 bytes each

; row TITLE, FEATURES, FRAMES AT A TIME, IS INDIRECT: 64 frames, and what they cost.
%macro row 4
        say  %1
        mov  ebx, F_MAC | %2
        mov  word [batch], %3
        mov  byte [is_indirect], %4
        call send_all
%endmacro

main:   say  "64 frames                                notifications  interrupts", 10
        row  "one by one                              ", 0, 1, 0
        row  "four at a time, as the queue is full    ", 0, 4, 0
        row  "eight, by indirect descriptors          ", F_INDIRECT, 8, 1
        row  "and interrupt me at the last, please    ", F_INDIRECT | F_EVENT_IDX, 8, 1
        cli
        hlt

send_all:
        call open_device
        mov  word [interrupts], 0
        mov  word [notifications], 0
        mov  word [TX_AVAIL + USED_EVENT], FRAMES - 1
        call make_frame
        call make_tables
.batch: mov  cx, [batch]
.add:   call add_frame
        loop .add
        inc  word [notifications]
        write QUEUE_NOTIFY, TRANSMIT
        mov  ax, [TX_AVAIL + INDEX]
.wait:  cmp  ax, [TX_USED + INDEX] ; the device works while this processor stands still
        jne  .wait
        cmp  ax, FRAMES
        jb   .batch
        mov  ax, [notifications]
        mov  bl, 14
        call put_number
        mov  ax, [interrupts]
        mov  bl, 12
        call put_number
        say  10
        ret

make_frame:
        mov  si, everybody
        mov  ax, net(0x0800)
        call begin_frame
        mov  si, ip_header
        mov  cx, IP_HEADER + 8
        rep  movsb
        mov  al, '.'
        mov  cx, DATA
        rep  stosb
        mov  si, FRAME + ETHERNET
        mov  cx, IP_HEADER
        call checksum
        mov  [si + 10], ax
        ret

; Fills the queue's table: four pairs of descriptors, or eight indirect ones with a pair each.
make_tables:
        cmp  byte [is_indirect], 0
        jne  .indirect
        mov  di, TX_TABLE
        xor  bx, bx
.pair:  inc  bx
        call frame_descriptors
        inc  bx
        cmp  bx, ENTRIES
        jb   .pair
        ret
.indirect:
        mov  di, TABLES
        mov  bx, 1
.table: call frame_descriptors
        cmp  di, TABLES + 32 * ENTRIES
        jb   .table
        mov  di, TX_TABLE
        mov  ax, TABLES
        mov  cx, 32
        mov  dx, INDIRECT
        xor  bx, bx
.entry: call descriptor
        add  ax, 32
        cmp  di, TX_TABLE + 16 * ENTRIES
        jb   .entry
        ret

; Writes two descriptors at DI: the header, going on at index BX, and the frame.
frame_descriptors:
        mov  ax, HEADER
        mov  cx, HEADER_SIZE
        mov  dx, NEXT
        call descriptor
        mov  ax, FRAME
        mov  cx, ETHERNET + LENGTH
        xor  dx, dx
        jmp  descriptor

; Makes the next chain available: it begins at every other descriptor, or at each.
add_frame:
        mov  bx, [TX_AVAIL + INDEX]
        and  bx, ENTRIES - 1
        mov  ax, bx
        cmp  byte [is_indirect], 0
        jne  .put
        add  ax, ax
        and  ax, ENTRIES - 1
.put:   add  bx, bx
        mov  [TX_AVAIL + RING + bx], ax
        inc  word [TX_AVAIL + INDEX]
        ret

ip_header:
        db   0x45, 0
        dw   net(LENGTH), 0, 0
        db   64, 17             ; time to live, UDP
        dw   0
        db   10, 0, 2, 15, 255, 255, 255, 255
        dw   net(1024), net(9)  ; port 9: to be thrown away
        dw   net(8 + DATA), 0   ; no checksum
batch:         dw 0
notifications: dw 0
is_indirect:   db 0
