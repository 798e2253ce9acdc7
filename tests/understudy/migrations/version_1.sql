CREATE TABLE belongs (
    id INTEGER NOT NULL,
    records TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE fences (
    thread TEXT NOT NULL,
    token BIGINT NOT NULL,
    holder TEXT NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (thread)
);
CREATE TABLE notices (
    id TEXT NOT NULL,
    workspace TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    notice TEXT NOT NULL,
    status TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    due DOUBLE PRECISION NOT NULL,
    tries INTEGER NOT NULL,
    claim TEXT NOT NULL,
    took JSON NOT NULL,
    reason TEXT NOT NULL,
    ended DOUBLE PRECISION,
    PRIMARY KEY (id)
);
CREATE INDEX notices_due ON notices (status, due);
CREATE INDEX notices_of ON notices (workspace, status, created);
CREATE TABLE question_tellings (
    number SERIAL NOT NULL,
    once TEXT NOT NULL,
    workspace TEXT NOT NULL,
    entry TEXT NOT NULL,
    time DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (number),
    UNIQUE (once)
);
CREATE INDEX question_tellings_time ON question_tellings (time);
CREATE TABLE question_timers (
    question TEXT NOT NULL,
    request TEXT NOT NULL,
    level INTEGER NOT NULL,
    "over" DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (question, request)
);
CREATE TABLE question_votes (
    question TEXT NOT NULL,
    number INTEGER NOT NULL,
    vote TEXT NOT NULL,
    PRIMARY KEY (question, number)
);
CREATE TABLE questions (
    id TEXT NOT NULL,
    workspace TEXT NOT NULL,
    thread TEXT NOT NULL,
    run TEXT NOT NULL,
    interrupt TEXT NOT NULL,
    team TEXT NOT NULL,
    goal TEXT NOT NULL,
    "user" TEXT NOT NULL,
    requests TEXT NOT NULL,
    digest TEXT NOT NULL,
    opened DOUBLE PRECISION NOT NULL,
    status TEXT NOT NULL,
    level INTEGER NOT NULL,
    due DOUBLE PRECISION,
    decisions TEXT NOT NULL,
    closed_by TEXT NOT NULL,
    why TEXT NOT NULL,
    closed DOUBLE PRECISION,
    applied BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX questions_closed ON questions (workspace, closed);
CREATE INDEX questions_due ON questions (status, due, id);
CREATE INDEX questions_listed ON questions (workspace, status, due, id);
CREATE UNIQUE INDEX questions_one_open ON questions (workspace, thread) WHERE status = 'open';
CREATE INDEX questions_ready ON questions (status, applied, closed, id);
CREATE INDEX questions_thread ON questions (workspace, thread);
CREATE TABLE workers (
    id TEXT NOT NULL,
    process TEXT NOT NULL,
    place TEXT NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (id)
);
