; Sends three echo requests to 10.0.2.2, with checksums of its own, and checks the answers'.
%include "real.inc"
%include "virtio.inc"
%include "frames.inc"

PINGS       equ 3
DATA        equ 32              ; bytes of an echo
LENGTH      equ IP_HEADER + 8 + DATA

main:   mov  ebx, F_MAC
        call open_device
        call resolve
.next:  inc  word [number]
        call send_echo
        call receive_echo
        cmp  word [number], PINGS
        jb   .next
        say  "lost "
        mov  ax, [lost]
        mov  bl, 1
        call put_number
        say  " of 3", 10
        cli
        hlt

send_echo:
        mov  si, peer_mac
        mov  ax, net(0x0800)
        call begin_frame
        mov  si, ip_header
        mov  cx, IP_HEADER
        rep  movsb
        mov  ax, 8              ; echo request; the checksum is 0 while it is computed
        stosw
        xor  ax, ax
        stosw
        mov  ax, net(0x4d45)    ; "ME"
        stosw
        mov  ax, [number]
        xchg al, ah
        stosw
        mov  cx, DATA
        mov  al, 'a'
.data:  stosb
        inc  al
        loop .data

        mov  si, FRAME + ETHERNET
        mov  cx, IP_HEADER
        call checksum
        mov  [si + 10], ax
        mov  si, FRAME + ICMP
        mov  cx, 8 + DATA
        call checksum
        mov  [si + 2], ax
        push ax
        say  "echo "
        mov  ax, [number]
        mov  bl, 1
        call put_number
        say  " with checksum 0x"
        pop  ax
        xchg al, ah
        call put_hex16
        mov  cx, ETHERNET + LENGTH
        jmp  send_frame

; Waits for an answer and looks at it: a sum over all, checksum included, leaves nothing.
receive_echo:
        call receive_frame
        push bx
        cmp  word [si + ETHERTYPE], net(0x0800)
        jne  .wrong
        cmp  byte [si + ICMP], 0 ; echo reply
        jne  .wrong
        add  si, ICMP
        mov  cx, 8 + DATA
        call checksum
        test ax, ax
        jnz  .wrong
        say  ", answered with 0x"
        pop  bx
        push bx
        mov  si, bx
        shl  si, 4
        mov  si, [RX_TABLE + si]
        mov  ax, [si + HEADER_SIZE + ICMP + 2]
        xchg al, ah
        call put_hex16
        say  10
        jmp  .done
.wrong: inc  word [lost]
        say  ", answered wrongly", 10
.done:  pop  bx
        jmp  recycle

ip_header:
        db   0x45, 0            ; version 4, 5 double words
        dw   net(LENGTH), 0, 0
        db   64, 1              ; time to live, ICMP
        dw   0                  ; its checksum
        db   10, 0, 2, 15, 10, 0, 2, 2
number: dw   0
lost:   dw   0
