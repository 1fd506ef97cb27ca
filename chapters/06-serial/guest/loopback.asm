; The self-test of a serial port: in loopback it needs no cable and no partner.
bits 16
org 0x1000

SERIAL      equ 0x3f8
FCR         equ SERIAL + 2
IIR         equ SERIAL + 2
LCR         equ SERIAL + 3
MCR         equ SERIAL + 4
LSR         equ SERIAL + 5
MSR         equ SERIAL + 6
SCR         equ SERIAL + 7
DR          equ 0b0000_0001
OVERRUN     equ 0b0000_0010
THRE        equ 0b0010_0000
TEMT        equ 0b0100_0000
LOOPBACK    equ 0b0001_0000

; Writes a byte to a register.
%macro  store 2
        mov  dx, %1
        mov  al, %2
        out  dx, al
%endmacro

; Waits for bits in LSR.
%macro  await 1
        mov  dx, LSR
%%not:  in   al, dx
        test al, %1
        jz   %%not
%endmacro

; Prints a name, and "ok" if AL, masked, is what it should be, else "WRONG".
%macro  check 3
        and  al, %1
        cmp  al, %2
        mov  di, ok
        je   %%good
        mov  di, wrong
%%good: mov  si, %3
        call report
%endmacro

        xor  ax, ax
        mov  ds, ax
        mov  ss, ax
        mov  sp, 0x1000
        cld
        store LCR, 0b0000_0011

        store SCR, 0x5a
        mov  dx, SCR
        in   al, dx
        check 0xff, 0x5a, scratch

        store FCR, 0b0000_0001
        mov  dx, IIR
        in   al, dx
        check 0b1100_0000, 0b1100_0000, fifos
        store FCR, 0

        store MCR, LOOPBACK
        store SERIAL, 'v'
        await DR
        mov  dx, SERIAL
        in   al, dx
        check 0xff, 'v', character

        store MCR, LOOPBACK
        store SERIAL, 'm'
        await TEMT
        store SERIAL, 'x'
        await TEMT              ; its status is in AL, and read only once
        check OVERRUN | DR, OVERRUN | DR, overrun
        mov  dx, SERIAL
        in   al, dx

        store MCR, LOOPBACK | 0b1111
        mov  dx, MSR
        in   al, dx
        check 0xf0, 0xf0, lines_on
        store MCR, LOOPBACK
        mov  dx, MSR
        in   al, dx
        check 0xff, 0x0f, lines_off
        cli
        hlt

; Prints SI and DI outside of loopback, then goes on.
report: store MCR, 0
        call print
        mov  si, di
        call print
        await TEMT              ; before the line is looped back
        ret

print:  lodsb
        test al, al
        jz   .done
        mov  ah, al
        await THRE
        mov  al, ah
        mov  dx, SERIAL
        out  dx, al
        jmp  print
.done:  ret

scratch:    db "scratch register     ", 0
fifos:      db "FIFOs                ", 0
character:  db "a character          ", 0
overrun:    db "an overrun           ", 0
lines_on:   db "modem lines on       ", 0
lines_off:  db "modem lines off      ", 0
ok:         db "ok", 10, 0
wrong:      db "WRONG", 10, 0
