/*
 * The agent's command line as a job sees it: `towline-agent`, and `buildkite-agent` by its other name. It decides nothing.
 * It hands its arguments, working directory and environment to the agent over the job's socket and copies what comes back;
 * the agent does the work (frames.ts is its end of this). Static, so that it runs in any Linux image,
 * also in one without a C library or a shell.
 *
 * A frame is one letter, four bytes of length (big-endian), and as many bytes.
 *   to the agent    H  arguments, working directory, environment: three lists, each its length in digits and then its texts,
 *                      all of them ended by a zero
 *                   D  a piece of standard input      F  its end
 *   from the agent  O  for standard output   E  for standard error   I  "I want standard input"
 *                   X  one byte: the exit status; the last frame
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

enum { PIECE = 65536, FAILED = 1, RETRY_MS = 100, RETRIES = 300 };

static const char *place = "/towline/job/agent.sock";

static void die(const char *what) {
  fprintf(stderr, "towline-agent: %s: %s\n", what, strerror(errno));
  exit(FAILED);
}

static void write_all(int to, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(to, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE && to != STDOUT_FILENO && to != STDERR_FILENO) die("the agent has gone");
    if (written < 0) exit(FAILED);
    bytes += written;
    length -= (size_t)written;
  }
}

/* Whether all the bytes came; none at all is the end of the answer. */
static int read_all(int from, char *bytes, size_t length) {
  while (length > 0) {
    ssize_t got = read(from, bytes, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    bytes += got;
    length -= (size_t)got;
  }
  return 1;
}

static void send_frame(int agent, char kind, const char *bytes, size_t length) {
  char head[5] = {kind, (char)(length >> 24), (char)(length >> 16), (char)(length >> 8), (char)length};
  write_all(agent, head, sizeof head);
  write_all(agent, bytes, length);
}

struct text {
  char *bytes;
  size_t length, room;
};

static void append(struct text *text, const char *word) {
  size_t length = strlen(word) + 1;
  if (text->length + length > text->room) {
    text->room = (text->length + length) * 2;
    text->bytes = realloc(text->bytes, text->room);
    if (!text->bytes) die("out of memory");
  }
  memcpy(text->bytes + text->length, word, length);
  text->length += length;
}

static void append_list(struct text *text, char **words) {
  char digits[24];
  size_t count = 0;
  while (words[count]) count++;
  snprintf(digits, sizeof digits, "%zu", count);
  append(text, digits);
  for (; *words; words++) append(text, *words);
}

static int connect_to_agent(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *other = getenv("TOWLINE_AGENT_SOCKET");
  if (other && *other) place = other;
  if (strlen(place) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    die(place);
  }
  strcpy(address.sun_path, place);
  /* An agent that was killed and is started anew takes up the job, and then its socket. */
  for (int tries = 0; tries < RETRIES; tries++) {
    int agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (agent < 0) die("socket");
    if (connect(agent, (struct sockaddr *)&address, sizeof address) == 0) return agent;
    if (errno != ECONNREFUSED && errno != EAGAIN && errno != EINTR) break;
    close(agent);
    poll(NULL, 0, RETRY_MS);
  }
  fprintf(stderr, "towline-agent: this works only inside a job (%s: %s)\n", place, strerror(errno));
  exit(FAILED);
}

static void say_hello(int agent, char **arguments) {
  struct text hello = {0};
  char *folder = getcwd(NULL, 0);
  /* In a folder that was removed there is none. */
  char *at[] = {folder ? folder : "/", NULL};
  append_list(&hello, arguments);
  append_list(&hello, at);
  append_list(&hello, environ);
  send_frame(agent, 'H', hello.bytes, hello.length);
  free(hello.bytes);
}

/* One piece of standard input; false at its end. A terminal gives none: nobody sits at a job. */
static int send_input(int agent) {
  static char piece[PIECE];
  ssize_t got = isatty(STDIN_FILENO) ? 0 : read(STDIN_FILENO, piece, sizeof piece);
  if (got < 0 && errno == EINTR) return 1;
  if (got > 0) send_frame(agent, 'D', piece, (size_t)got);
  else send_frame(agent, 'F', NULL, 0);
  return got > 0;
}

static void copy_out(int agent, int to, size_t length) {
  static char piece[PIECE];
  while (length > 0) {
    size_t part = length < sizeof piece ? length : sizeof piece;
    if (!read_all(agent, piece, part)) break;
    write_all(to, piece, part);
    length -= part;
  }
}

/* One frame of the answer; true when it asks for standard input. Ends the process with the last. */
static int take_frame(int agent) {
  unsigned char head[5], status;
  if (!read_all(agent, (char *)head, sizeof head)) {
    fprintf(stderr, "towline-agent: the agent has gone\n");
    exit(FAILED);
  }
  size_t length = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
  if (head[0] == 'I') return 1;
  if (head[0] == 'O') copy_out(agent, STDOUT_FILENO, length);
  if (head[0] == 'E') copy_out(agent, STDERR_FILENO, length);
  if (head[0] == 'X') exit(read_all(agent, (char *)&status, 1) ? status : FAILED);
  return 0;
}

int main(int count, char **arguments) {
  (void)count;
  signal(SIGPIPE, SIG_IGN);
  int agent = connect_to_agent();
  int wanted = 0;
  say_hello(agent, arguments);
  for (;;) {
    struct pollfd both[2] = {{.fd = agent, .events = POLLIN}, {.fd = wanted ? STDIN_FILENO : -1, .events = POLLIN}};
    if (poll(both, 2, -1) < 0 && errno != EINTR) die("poll");
    if (both[0].revents) wanted = take_frame(agent) || wanted;
    else if (wanted && both[1].revents) wanted = send_input(agent);
  }
}
