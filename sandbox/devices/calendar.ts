/**
 * The calendar of the real-time clock: seconds to years in ten bytes of CMOS memory, in BCD or binary, with
 * 12 or 24 hours, as status register B says at the moment.
 *
 * Source: MC146818A data sheet, "Time, calendar and alarm locations".
 */

const SECONDS = 0x00;
const SECONDS_ALARM = 0x01;
const MINUTES = 0x02;
const MINUTES_ALARM = 0x03;
const HOURS = 0x04;
const HOURS_ALARM = 0x05;
const DAY_OF_WEEK = 0x06; // Sunday is 1
const DAY_OF_MONTH = 0x07;
const MONTH = 0x08;
const YEAR = 0x09;
const STATUS_B = 0x0b;
const CENTURY = 0x32;

const DM_BINARY = 0b0000_0100;
const HOURS_24 = 0b0000_0010;
const PM = 0b1000_0000;
/** An alarm byte with both of these bits set matches anything. */
const ANY = 0b1100_0000;

const DAY = 86_400;

export class Calendar {
  readonly #cmos: Uint8Array;

  constructor(cmos: Uint8Array) {
    this.#cmos = cmos;
  }

  set(date: Date): void {
    this.#put(SECONDS, date.getUTCSeconds());
    this.#put(MINUTES, date.getUTCMinutes());
    this.#cmos[HOURS] = this.#encodeHours(date.getUTCHours());
    this.#put(DAY_OF_WEEK, date.getUTCDay() + 1);
    this.#put(DAY_OF_MONTH, date.getUTCDate());
    this.#put(MONTH, date.getUTCMonth() + 1);
    this.#put(YEAR, date.getUTCFullYear() % 100);
    // Firmware keeps the century in BCD, whatever DM says.
    this.#cmos[CENTURY] = toBcd(Math.floor(date.getUTCFullYear() / 100) % 100);
  }

  /** Lets `seconds` pass. Dates that do not exist become the day that they would be. */
  advance(seconds: number): void {
    const century = fromBcd(this.#cmos[CENTURY]!);
    const date = new Date(0);
    date.setUTCFullYear(century * 100 + this.#get(YEAR), this.#get(MONTH) - 1, this.#get(DAY_OF_MONTH));
    date.setUTCHours(this.#hours(this.#cmos[HOURS]!), this.#get(MINUTES), this.#get(SECONDS));
    const midnight = Math.floor(date.getTime() / 1000 / DAY);
    // The day of the week is a counter of its own: a guest may have set it to anything.
    const dayOfWeek = this.#get(DAY_OF_WEEK);
    date.setTime(date.getTime() + seconds * 1000);
    this.set(date);
    const days = Math.floor(date.getTime() / 1000 / DAY) - midnight;
    this.#put(DAY_OF_WEEK, ((((dayOfWeek - 1 + days) % 7) + 7) % 7) + 1);
  }

  /** Seconds until the alarm matches, at least 1; infinite if it never does. */
  secondsToAlarm(): number {
    const now = this.#hours(this.#cmos[HOURS]!) * 3600 + this.#get(MINUTES) * 60 + this.#get(SECONDS);
    const hour = this.#alarm(HOURS_ALARM);
    const minute = this.#alarm(MINUTES_ALARM);
    const second = this.#alarm(SECONDS_ALARM);
    let best = Number.POSITIVE_INFINITY;
    // The next match lies in one of the next 26 hours; in each the first minute and second that match.
    for (let ahead = 0; ahead <= 25 && best === Number.POSITIVE_INFINITY; ahead++) {
      const hours = Math.floor(now / 3600) + ahead;
      if (hour !== undefined && hour !== hours % 24) continue;
      for (let minutes = 0; minutes < 60; minutes++) {
        if (minute !== undefined && minute !== minutes) continue;
        const start = hours * 3600 + minutes * 60 - now;
        const match = second !== undefined ? start + second : Math.max(start, 1);
        if (match >= 1 && match < start + 60) best = Math.min(best, match);
      }
    }
    return best;
  }

  /** An alarm byte's number; undefined where anything matches. */
  #alarm(index: number): number | undefined {
    const value = this.#cmos[index]!;
    if ((value & ANY) === ANY) return undefined;
    return index === HOURS_ALARM ? this.#hours(value) : this.#decode(value);
  }

  get #isBinary(): boolean {
    return (this.#cmos[STATUS_B]! & DM_BINARY) !== 0;
  }

  #get(index: number): number {
    return this.#decode(this.#cmos[index]!);
  }

  #put(index: number, value: number): void {
    this.#cmos[index] = this.#isBinary ? value : toBcd(value);
  }

  #decode(value: number): number {
    return this.#isBinary ? value : fromBcd(value);
  }

  #hours(value: number): number {
    if (this.#cmos[STATUS_B]! & HOURS_24) return this.#decode(value);
    return (this.#decode(value & ~PM) % 12) + (value & PM ? 12 : 0);
  }

  #encodeHours(hours: number): number {
    if (this.#cmos[STATUS_B]! & HOURS_24) return this.#isBinary ? hours : toBcd(hours);
    const twelve = hours % 12 || 12;
    return (this.#isBinary ? twelve : toBcd(twelve)) | (hours >= 12 ? PM : 0);
  }
}

function toBcd(value: number): number {
  return (Math.floor(value / 10) << 4) | (value % 10);
}

function fromBcd(value: number): number {
  return (value >> 4) * 10 + (value & 15);
}
