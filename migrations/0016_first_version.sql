-- Where the versions of a realm or a user begin. One that is deleted and made again under its old id (an import does that) begins
-- above every version that it ever had, so that no node takes what it remembers for current; each has room for 2^24 changes.
create sequence first_version as bigint start with 16777216 increment by 16777216;
