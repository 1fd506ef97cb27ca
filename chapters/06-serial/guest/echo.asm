; Echoes what it receives in capitals; Ctrl-D ends it, and it tells what interrupted it.
;
; Receiving and sending both run by interrupts, with a queue of 256 bytes between them: BX counts what was
; put in, BP what was taken out, and both wrap around as bytes of an index do.
bits 16
org 0x1000

PIC         equ 0x20
VECTOR      equ 0x20            ; of IRQ 0; the serial port has IRQ 4
SERIAL      equ 0x3f8
IER         equ SERIAL + 1
IIR         equ SERIAL + 2
FCR         equ SERIAL + 2
LCR         equ SERIAL + 3
MCR         equ SERIAL + 4
LSR         equ SERIAL + 5
RECEIVED    equ 0b0000_0001     ; IER
EMPTY       equ 0b0000_0010
THRE        equ 0b0010_0000     ; LSR
TEMT        equ 0b0100_0000
CTRL_D      equ 4

        xor  ax, ax
        mov  ds, ax
        mov  ss, ax
        mov  sp, 0x1000
        cld
        mov  word [(VECTOR + 4) * 4], serial
        mov  [(VECTOR + 4) * 4 + 2], ax

        mov  al, 0x13
        out  PIC, al
        mov  al, VECTOR
        out  PIC + 1, al
        mov  al, 0x01
        out  PIC + 1, al
        mov  al, 0b1110_1111    ; all masked but IRQ 4
        out  PIC + 1, al

        mov  dx, LCR
        mov  al, 0b0000_0011    ; 8 bits, no parity, 1 stop bit
        out  dx, al
        mov  dx, FCR
        mov  al, 0b1000_0111    ; FIFOs on and empty, interrupt at 8 characters
        out  dx, al
        mov  dx, MCR
        mov  al, 0b0000_1011    ; DTR, RTS, and OUT2 lets the interrupt through
        out  dx, al
        mov  dx, IER
        mov  al, RECEIVED
        out  dx, al
        xor  bx, bx
        xor  bp, bp

; With interrupts off between the look and the sleep, none can slip in between: STI takes effect only after
; the instruction that follows it.
idle:   cli
        cmp  byte [done], 0
        je   .sleep
        cmp  bx, bp
        je   finish
.sleep: sti
        hlt
        jmp  idle

finish: mov  dx, IER
        mov  al, 0
        out  dx, al
        mov  ax, [levels]
        call number
        mov  si, level_text
        call print
        mov  ax, [timeouts]
        call number
        mov  si, timeout_text
        call print
        mov  ax, [empties]
        call number
        mov  si, empty_text
        call print
        mov  dx, LSR            ; let the last character leave
.busy:  in   al, dx
        test al, TEMT
        jz   .busy
        hlt

; The handler serves reason after reason until IIR tells of none: the line stays high until then, and the
; PIC sees only its next rise.
serial: push ax
        push cx
        push dx
.next:  mov  dx, IIR
        in   al, dx
        and  al, 0x0f
        cmp  al, 0b0100
        je   .level
        cmp  al, 0b1100
        je   .timeout
        cmp  al, 0b0010
        je   .empty
        mov  al, 0x20           ; end of interrupt
        out  PIC, al
        pop  dx
        pop  cx
        pop  ax
        iret

.level: inc  word [levels]
        mov  cx, 8              ; so many are there; who takes all waits for the line
        jmp  .take
.timeout:
        inc  word [timeouts]
        mov  cx, 1
.take:  mov  dx, SERIAL
        in   al, dx
        cmp  al, CTRL_D
        jne  .keep
        mov  byte [done], 1
        jmp  .taken
.keep:  cmp  al, 'a'
        jb   .put
        cmp  al, 'z'
        ja   .put
        sub  al, 'a' - 'A'
.put:   mov  [queue + bx], al
        inc  bl
.taken: loop .take
        mov  dx, IER
        mov  al, RECEIVED | EMPTY
        out  dx, al
        jmp  .next

.empty: inc  word [empties]
        mov  cx, 16             ; the FIFO is empty: so many fit
        mov  dx, SERIAL
.fill:  cmp  bx, bp
        je   .dry
        xchg bx, bp
        mov  al, [queue + bx]
        inc  bl
        xchg bx, bp
        out  dx, al
        loop .fill
        jmp  .next
.dry:   mov  dx, IER            ; nothing to send: no interrupt for it
        mov  al, RECEIVED
        out  dx, al
        jmp  .next

; Sends AL when the transmitter has room.
send:   push dx
        mov  ah, al
        mov  dx, LSR
.full:  in   al, dx
        test al, THRE
        jz   .full
        mov  al, ah
        mov  dx, SERIAL
        out  dx, al
        pop  dx
        ret

; Prints AX as a decimal number.
number: mov  bx, 10
        xor  cx, cx
.digit: xor  dx, dx
        div  bx
        push dx
        inc  cx
        test ax, ax
        jnz  .digit
.show:  pop  ax
        add  al, '0'
        call send
        loop .show
        ret

print:  lodsb
        test al, al
        jz   .done
        call send
        jmp  print
.done:  ret

level_text:   db " interrupts at the trigger level, ", 0
timeout_text: db " by the timeout, ", 0
empty_text:   db " by the empty transmitter", 10, 0
levels:       dw 0
timeouts:     dw 0
empties:      dw 0
done:         db 0
queue:        times 256 db 0
