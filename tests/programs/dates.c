/* Calendar arithmetic: civil dates and day numbers both ways, weekdays, leap years, Easter, ISO weeks, parsing, formatting,
 * differences, a month calendar, Julian dates, recurring events, time zones with daylight saving rules. */
#include "prog.h"

typedef struct { int y, m, d; } Date;
static int leap(int y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }
static int month_days(int y, int m) { static const int n[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}; return n[m - 1] + (m == 2 && leap(y)); }
static int64_t days_from(Date t) {
    int64_t y = t.y - (t.m <= 2), era = (y >= 0 ? y : y - 399) / 400;
    uint32_t yoe = (uint32_t)(y - era * 400), doy = (uint32_t)(153 * (t.m + (t.m > 2 ? -3 : 9)) + 2) / 5 + (uint32_t)t.d - 1;
    return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}
static Date date_of(int64_t z) {
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    uint32_t doe = (uint32_t)(z - era * 146097), yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    Date r = {(int)((int64_t)yoe + era * 400), (int)(mp < 10 ? mp + 3 : mp - 9), (int)(doy - (153 * mp + 2) / 5 + 1)};
    r.y += r.m <= 2;
    return r;
}
static int weekday(int64_t z) { return (int)(z >= -4 ? (z + 4) % 7 : (z + 5) % 7 + 6); }
static Date easter(int y) {
    int a = y % 19, b = y / 100, c = y % 100, d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3, h = (19 * a + b - d - g + 15) % 30;
    int i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7, m = (a + 11 * h + 22 * l) / 451;
    return (Date){y, (h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1};
}
static int iso_week(Date t, int *year) {
    int64_t z = days_from(t), thursday = z + 4 - (weekday(z) ? weekday(z) : 7);
    *year = date_of(thursday).y;
    return (int)((thursday - days_from((Date){*year, 1, 1})) / 7 + 1);
}
static Date add_months(Date t, int n) {
    int m = t.y * 12 + t.m - 1 + n;
    Date r = {m / 12, m % 12 + 1, t.d};
    if (r.d > month_days(r.y, r.m)) r.d = month_days(r.y, r.m);
    return r;
}
static Date nth_weekday(int y, int m, int n, int day) { /* n < 0: from the end */
    if (n > 0) { int64_t z = days_from((Date){y, m, 1}); return date_of(z + (day - weekday(z) + 7) % 7 + 7 * (n - 1)); }
    int64_t z = days_from((Date){y, m, month_days(y, m)});
    return date_of(z - (weekday(z) - day + 7) % 7 + 7 * (n + 1));
}
static int offset_minutes(int64_t minutes) { /* central Europe: last Sundays of March and October at 01:00 UTC */
    Date t = date_of(minutes / 1440);
    int64_t on = days_from(nth_weekday(t.y, 3, -1, 0)) * 1440 + 60, off = days_from(nth_weekday(t.y, 10, -1, 0)) * 1440 + 60;
    return minutes >= on && minutes < off ? 120 : 60;
}
int main(void) {
    static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    int bad = 0;
    for (int64_t z = -800000; z < 800000; z += 37) {
        Date t = date_of(z);
        bad += days_from(t) != z || t.m < 1 || t.m > 12 || t.d < 1 || t.d > month_days(t.y, t.m);
        mix((uint64_t)(t.y * 10000 + t.m * 100 + t.d) ^ (uint64_t)weekday(z) << 40);
    }
    printf("bad %d\n", bad);
    static const Date dates[] = {{1970, 1, 1}, {2000, 2, 29}, {1900, 3, 1}, {1582, 10, 15}, {2024, 12, 30}, {2027, 1, 1}, {-1, 5, 5}, {0, 1, 1}, {9999, 12, 31}};
    for (int i = 0; i < COUNT(dates); i++) {
        int y, w = iso_week(dates[i], &y);
        int64_t z = days_from(dates[i]);
        printf("%04d-%02d-%02d %s %lld week %d-W%02d\n", dates[i].y, dates[i].m, dates[i].d, names[weekday(z)], (long long)z, y, w);
    }
    for (int y = 1990; y < 2030; y += 3) { Date e = easter(y); printf("%d-%02d-%02d ", e.y, e.m, e.d); bad += weekday(days_from(e)) != 0; }
    printf("\n");
    for (int n = -14; n < 15; n += 3) { Date t = add_months((Date){2024, 1, 31}, n); printf("%d-%d-%d ", t.y, t.m, t.d); }
    printf("\n");
    for (int m = 1; m <= 12; m += 5) {
        printf("%d\n", m);
        int first = weekday(days_from((Date){2026, m, 1}));
        for (int i = 0; i < first; i++) printf("   ");
        for (int d = 1; d <= month_days(2026, m); d++) printf("%2d%c", d, (first + d) % 7 == 0 ? '\n' : ' ');
        printf("\n");
    }
    for (int64_t t = 28000000; t < 29000000; t += 9973) mix((uint64_t)offset_minutes(t));
    for (int y = 2000; y < 2400; y++) for (int m = 1; m <= 12; m++) for (int n = -2; n < 4; n++) if (n) { Date t = nth_weekday(y, m, n, (y + m) % 7); mix((uint64_t)t.d); }
    int y = 0, m = 0, d = 0, h = 0, mi = 0;
    double s = 0;
    printf("%d ", sscanf("2026-11-24T01:51:07.25", "%d-%d-%dT%d:%d:%lf", &y, &m, &d, &h, &mi, &s));
    printf("%lld %.2f\n", (long long)(days_from((Date){y, m, d}) * 86400 + h * 3600 + mi * 60), s);
    show("dates");
    return bad;
}
