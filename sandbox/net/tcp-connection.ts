/**
 * One end of a TCP connection: the network's, towards a guest.
 *
 * It knows nothing of frames or of the host: segments, bytes and events go to its `TcpUser`. Here is how a
 * connection opens, closes and breaks off, and what becomes of a segment; what is sent and what is received
 * have a file of their own. What is received goes up at once and counts against the window until the user
 * has got rid of it; what is to be sent waits until the guest acknowledged it.
 *
 * Source: RFC 9293, 3.10; resets and strays: RFC 5961.
 */
import { TcpAlarm } from "./tcp-alarm.ts";
import { TcpReceiver } from "./tcp-receiver.ts";
import { ACK, distance, FIN, PSH, RST, SYN, type TcpSegment } from "./tcp-segment.ts";
import { type Piece, TcpSender } from "./tcp-sender.ts";
import type { TcpUser, TcpWire } from "./tcp-sides.ts";
import { FIN_ACKNOWLEDGED, FIN_RECEIVED, FIN_SENT, RECEIVES, SENDS, type TcpState } from "./tcp-state.ts";

const MOST_SYNS = 6;
const MOST_RETRIES = 12;
const ACK_DELAY = 40e6;
/** Twice the maximum segment lifetime, as short as on a wire with no routers behind it. */
const TIME_WAIT = 60e9;

export class TcpConnection {
  state: TcpState = "closed";
  lastActivity: number;
  readonly #wire: TcpWire;
  readonly #user: TcpUser;
  readonly #sender: TcpSender;
  readonly #receiver: TcpReceiver;
  readonly #alarm: TcpAlarm;
  /** Something came that is answered by an acknowledgment, whatever else is sent. */
  #mustAcknowledge = false;

  constructor(wire: TcpWire, user: TcpUser, initialSequence: number) {
    this.#wire = wire;
    this.#user = user;
    this.#sender = new TcpSender(initialSequence);
    this.#receiver = new TcpReceiver(bytes => {
      user.received(bytes);
      return !this.#isClosed;
    });
    this.#alarm = new TcpAlarm(wire.clock, {
      acknowledge: () => this.#acknowledge(),
      timedOut: () => this.#timedOut(),
    });
    this.lastActivity = wire.clock.now();
  }

  /** Bytes that are not acknowledged yet, sent or not. */
  get unsent(): number {
    return this.#sender.ring.length;
  }

  /** What the two sides would say next: enough to reset the connection later. */
  get sequences(): { readonly sequence: number; readonly acknowledgment: number } {
    return { sequence: this.#sender.end, acknowledgment: this.#receiver.next };
  }

  get #isClosed(): boolean {
    return this.state === "closed";
  }

  // #region user
  /** The guest asks for the connection with `syn`; `accept` or `abort` answers it. */
  asked(syn: TcpSegment): void {
    this.state = "opening";
    this.#takeSyn(syn);
  }

  /** Asks the guest for the connection. */
  ask(): void {
    this.state = "syn-sent";
    this.#sendSyn();
  }

  accept(): void {
    if (this.state !== "opening") return;
    this.state = "syn-received";
    this.#sendSyn();
  }

  /** Bytes for the guest; they are copied. */
  push(bytes: Uint8Array): void {
    if (this.#isClosed || this.#sender.isEnding) return;
    this.#sender.ring.push(bytes);
    this.pump();
  }

  /** Sends no more after what was pushed. */
  end(): void {
    this.#sender.isEnding = true;
    this.pump();
  }

  /** `count` received bytes, that came in one piece, are held no more. */
  consumed(count: number): void {
    const isToBeTold = this.#receiver.consumed(count);
    if (isToBeTold && RECEIVES.has(this.state)) this.#acknowledge();
  }

  /** Breaks the connection off. */
  abort(): void {
    if (this.state === "opening") this.#emit(RST | ACK, 0);
    else if (!this.#isClosed && this.state !== "time-wait") {
      this.#emit(this.state === "syn-sent" ? RST : RST | ACK, this.#sender.end);
    }
    this.drop();
  }

  /** Forgets the connection without a word. */
  drop(): void {
    this.state = "closed";
    this.#alarm.stop();
  }
  // #endregion user

  // #region send
  /** Sends what may be sent now. */
  pump(): void {
    while (SENDS.has(this.state)) {
      const piece = this.#sender.nextPiece(this.#wire.mostData(this.#sender.segmentSize));
      if (!piece) break;
      if (this.#wire.isBlocked) {
        this.#wire.stalled(this);
        break;
      }
      this.#sender.sent(piece, this.#wire.clock.now());
      const isLast = piece.offset + piece.size === this.#sender.ring.length;
      this.#transmit(piece, isLast && piece.size > 0 ? PSH : 0);
    }
    this.#awaitAcknowledgment();
  }

  /** Sends the first unacknowledged segment again, or a byte to probe a closed window. */
  #sendAgain(most: number): void {
    const piece = this.#sender.firstPiece(most);
    this.#sender.sentAgain(piece);
    this.#transmit(piece, 0);
  }

  /** Everything is noted before the segment leaves: the answer may come inside the call. */
  #transmit({ sequence, offset, size, hasFin }: Piece, flags: number): void {
    if (hasFin) this.state = FIN_SENT[this.state] ?? this.state;
    this.#emit(ACK | flags | (hasFin ? FIN : 0), sequence, offset, size);
  }

  #sendSyn(): void {
    const isAnswer = this.state === "syn-received";
    this.#sender.synSent();
    this.#alarm.waitFor(this.#sender.timeout.nanoseconds);
    this.#alarm.arm();
    this.#emit(isAnswer ? SYN | ACK : SYN, this.#sender.first);
  }

  #acknowledge(): void {
    this.#emit(ACK, this.#sender.end);
  }

  #emit(flags: number, sequence: number, offset = 0, length = 0): void {
    const isSyn = (flags & SYN) !== 0;
    const isAcknowledgment = (flags & ACK) !== 0;
    const window = isSyn || isAcknowledgment ? this.#receiver.window(isSyn) : 0;
    if (isAcknowledgment) {
      this.#receiver.told(window, isSyn);
      this.#alarm.acknowledged();
      this.#mustAcknowledge = false;
    }
    this.#user.send({
      flags,
      sequence,
      acknowledgment: isAcknowledgment ? this.#receiver.next : 0,
      window,
      maximumSegmentSize: isSyn ? this.#wire.maximumSegmentSize : null,
      windowScale: isSyn ? this.#receiver.windowScale : null,
      ring: this.#sender.ring,
      offset,
      length,
      segmentSize: this.#sender.segmentSize,
    });
  }
  // #endregion send

  // #region open
  #takeSyn(syn: TcpSegment): void {
    this.#sender.begin(syn, this.#wire.maximumSegmentSize);
    this.#receiver.begin(syn, this.#sender.segmentSize);
  }

  #establish(segment: TcpSegment): void {
    this.state = "established";
    this.#sender.opened(segment);
    this.#alarm.waitNoMore();
  }

  /** RFC 9293, 3.10.7.3. */
  #receiveInSynSent(segment: TcpSegment): void {
    const { flags, acknowledgment } = segment;
    const isAnswer = (flags & ACK) !== 0 && acknowledgment === this.#sender.end;
    if (flags & ACK && !isAnswer) {
      if (!(flags & RST)) this.#emit(RST, acknowledgment);
      return;
    }
    if (flags & RST) {
      if (isAnswer) this.#finish("reset");
      return;
    }
    if (!(flags & SYN)) return;
    this.#takeSyn(segment);
    if (!isAnswer) {
      this.state = "syn-received"; // both asked at once
      this.#sendSyn();
      return;
    }
    this.#establish(segment);
    this.#acknowledge();
    this.pump();
    this.#alarm.arm();
  }
  // #endregion open

  // #region receive
  receive(segment: TcpSegment): void {
    this.lastActivity = this.#wire.clock.now();
    if (this.state === "opening") {
      if (segment.flags & RST) this.#finish("reset");
      return; // the guest sends its SYN again
    }
    if (this.state === "syn-sent") {
      this.#receiveInSynSent(segment);
      return;
    }
    if (this.#isAcceptable(segment) && this.#takeAcknowledgment(segment)) {
      this.#takeData(segment);
      this.pump();
    }
    if (this.#mustAcknowledge && !this.#isClosed) this.#acknowledge();
    this.#alarm.arm();
  }

  /** The first checks of RFC 9293, 3.10.7.4: sequence, RST, SYN. Returns whether to go on. */
  #isAcceptable({ sequence, flags, data }: TcpSegment): boolean {
    const length = data.length + (flags & FIN ? 1 : 0) + (flags & SYN ? 1 : 0);
    const ahead = distance(sequence, this.#receiver.next);
    const window = this.#receiver.promised;
    // At the very place, even into a closed window: what it acknowledges counts.
    const isInside = ahead === 0 || (ahead < window && (length === 0 ? ahead > 0 : ahead + length > 0));
    if (flags & RST) {
      if (ahead === 0) this.#finish("reset");
      else if (isInside) this.#mustAcknowledge = true; // RFC 5961, 3.2: a challenge
      return false;
    }
    if (isInside && !(flags & SYN)) return true;
    if (this.state === "time-wait") this.#alarm.waitFor(TIME_WAIT);
    const isRepeatedSyn = this.state === "syn-received" && flags & SYN && ahead === -1;
    if (isRepeatedSyn && flags & ACK) return true; // the answer of one who asked at the same time
    if (isRepeatedSyn) this.#emit(SYN | ACK, this.#sender.first);
    else this.#mustAcknowledge = true;
    return false;
  }

  /** Returns whether the segment's data count. */
  #takeAcknowledgment(segment: TcpSegment): boolean {
    const { flags, acknowledgment } = segment;
    if (!(flags & ACK)) return false;
    if (this.state === "syn-received") {
      if (!this.#sender.opens(acknowledgment)) {
        this.#emit(RST, acknowledgment);
        return false;
      }
      this.#establish(segment);
      return true;
    }
    if (this.#sender.isBeyond(acknowledgment)) {
      this.#mustAcknowledge = true;
      return false;
    }
    const progress = this.#sender.acknowledged(segment, this.#wire.clock.now());
    if (progress.count > 0) {
      if (this.#sender.isAllAcknowledged) this.#alarm.waitNoMore();
      else this.#alarm.waitFor(this.#sender.timeout.nanoseconds);
    }
    if (progress.isFinAcknowledged) this.#enter(FIN_ACKNOWLEDGED[this.state]);
    if (progress.data > 0) this.#user.acknowledged();
    if (progress.isLost) this.#sendAgain(this.#sender.segmentSize);
    return !this.#isClosed;
  }

  #takeData(segment: TcpSegment): void {
    if (!RECEIVES.has(this.state)) {
      if (segment.data.length > 0 || segment.flags & FIN) this.#mustAcknowledge = true;
      return;
    }
    const urgency = this.#receiver.take(segment);
    if (this.#isClosed || urgency === "never") return; // closed: the user has broken it off
    if (urgency === "now") this.#mustAcknowledge = true;
    else this.#alarm.acknowledgeIn(ACK_DELAY);
    if (this.#receiver.hasReachedFin) this.#takeFin();
  }

  #takeFin(): void {
    this.#receiver.takeFin();
    this.#mustAcknowledge = true;
    this.#enter(FIN_RECEIVED[this.state]);
    this.#user.ended();
  }
  // #endregion receive

  // #region close
  #enter(state: TcpState | undefined): void {
    if (state === undefined) return;
    if (state === "closed") {
      this.#finish("finished");
      return;
    }
    this.state = state;
    if (state === "time-wait") this.#alarm.waitFor(TIME_WAIT);
  }

  #finish(how: "finished" | "reset"): void {
    this.drop();
    this.#user.closed(how);
  }
  // #endregion close

  // #region time
  /** Sets the timer that sends again or probes, where there is something to wait for. */
  #awaitAcknowledgment(): void {
    if (!SENDS.has(this.state)) return;
    const { ring, isEnding, isAllAcknowledged, isWindowClosed, timeout } = this.#sender;
    const isWaiting = !isAllAcknowledged || (isWindowClosed && (ring.length > 0 || isEnding));
    if (!isWaiting) this.#alarm.waitNoMore();
    else if (!this.#alarm.isWaiting) this.#alarm.waitFor(timeout.nanoseconds);
    this.#alarm.arm();
  }

  #timedOut(): void {
    if (this.state === "time-wait") {
      this.#finish("finished");
      return;
    }
    const sender = this.#sender;
    this.#alarm.waitNoMore();
    if (this.#wire.isBlocked) {
      this.#alarm.waitFor(sender.timeout.nanoseconds);
      return; // nothing was lost: the guest's card has no room
    }
    const isOpening = this.state === "syn-sent" || this.state === "syn-received";
    sender.retries++;
    if (sender.retries > (isOpening ? MOST_SYNS : MOST_RETRIES)) {
      this.abort();
      this.#user.closed("timed out");
      return;
    }
    sender.timeout.backOff();
    if (isOpening) {
      this.#sendSyn();
      return;
    }
    if (sender.isWindowClosed) {
      sender.rewind();
      this.#sendAgain(1);
    } else {
      sender.timedOut();
      this.pump();
    }
    this.#awaitAcknowledgment();
  }
  // #endregion time
}
