; Plays a melody: counter 2 makes the tone, counter 0 the beat, 20 ticks a second.
bits 16
org 0x1000

PIC         equ 0x20
COUNTER_0   equ 0x40
COUNTER_2   equ 0x42
CONTROL     equ 0x43
PORT_B      equ 0x61            ; bits 0 and 1 together let the tone through
VECTOR      equ 0x20
CLOCK       equ 1193182
BEAT        equ CLOCK / 20

C5          equ CLOCK / 523
G4          equ CLOCK / 392
A4          equ CLOCK / 440
B4          equ CLOCK / 494

        xor  ax, ax
        mov  ds, ax
        mov  ss, ax
        mov  sp, 0x1000
        mov  word [VECTOR * 4], beat
        mov  [VECTOR * 4 + 2], ax

        mov  al, 0x13
        out  PIC, al
        mov  al, VECTOR
        out  PIC + 1, al
        mov  al, 0x03           ; ICW4: 8086 mode, interrupts end by themselves
        out  PIC + 1, al
        mov  al, 0xfe
        out  PIC + 1, al

        mov  al, 0x34           ; counter 0, both bytes, mode 2
        out  CONTROL, al
        mov  al, BEAT & 0xff
        out  COUNTER_0, al
        mov  al, BEAT >> 8
        out  COUNTER_0, al
        sti

        mov  si, notes
note:   lodsw
        test ax, ax
        jz   done
        mov  bx, ax
        mov  al, 0xb6           ; counter 2, both bytes, mode 3
        out  CONTROL, al
        mov  al, bl
        out  COUNTER_2, al
        mov  al, bh
        out  COUNTER_2, al
        mov  al, 0x03
        out  PORT_B, al         ; on
        lodsw
        mov  cx, ax
.hold:  hlt
        loop .hold
        mov  al, 0x00
        out  PORT_B, al         ; off, for one beat
        hlt
        jmp  note
done:   cli
        hlt

beat:   iret

notes:  dw   C5, 5,  G4, 3,  G4, 3,  A4, 5,  G4, 11,  B4, 5,  C5, 5,  0
