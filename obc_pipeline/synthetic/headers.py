"""The header lines as the senders' systems write them. A test holds them against the format declarations in `obc_pipeline.sources`."""

from __future__ import annotations

_PAIRS = ("FallToFall", "FallToWinter", "FallToSpring", "WinterToWinter", "WinterToSpring", "SpringToSpring")
_GROWTH = (
    "ProjectedGrowth",
    "ObservedGrowth",
    "ObservedGrowthSE",
    "MetProjectedGrowth",
    "ConditionalGrowthIndex",
    "ConditionalGrowthPercentile",
    "GrowthQuintile",
)

NWEA_ASSESSMENT_RESULTS: tuple[str, ...] = (
    *"TermName DistrictName District_StateID SchoolName School_StateID StudentID Student_StateID Subject Course GrowthMeasureYN".split(),
    *"NormsReferenceData WISelectedAYFall WISelectedAYWinter WISelectedAYSpring WIPreviousAYFall WIPreviousAYWinter".split(),
    *"WIPreviousAYSpring TestType TestName TestID TestStartDate TestStartTime TestDurationMinutes TestRITScore TestStandardError".split(),
    *"TestPercentile AchievementQuintile PercentCorrect RapidGuessingPercentage".split(),
    *(f"{pair}{measure}" for pair in _PAIRS for measure in _GROWTH),
    *"LexileScore LexileMin LexileMax QuantileScore QuantileMin QuantileMax".split(),
    *(f"Goal{goal}{part}" for goal in range(1, 9) for part in ("Name", "RitScore", "StdErr", "Range", "Adjective")),
    *(f"Typical{pair}Growth" for pair in _PAIRS),
    *(f"ProjectedProficiency{part}{study}" for study in range(1, 11) for part in ("Study", "Level")),
)

NWEA_STUDENTS_BY_SCHOOL: tuple[str, ...] = tuple(
    "TermName DistrictName District_StateID SchoolName School_StateID StudentLastName StudentFirstName StudentMI StudentID Student_StateID "
    "StudentDateOfBirth StudentEthnicGroup NWEAStandard_EthnicGroup StudentGender Grade NWEAStandard_Grade".split()
)

_BENCHMARK_RANGE = ("CategoryName", "Proficient", "CategoryLevel", "NumberOfCategoryLevels", "MinPercentileRank", "MaxPercentileRank")

STAR: tuple[str, ...] = (
    *"RenaissanceClientID SchoolYear SchoolYearStartDate SchoolYearEndDate StudentRenaissanceID StudentSourcedID StudentIdentifier".split(),
    *"StudentUserID StudentStateID StudentEmail StudentFirstName StudentMiddleName StudentLastName Gender BirthDate MultiRace".split(),
    *"HispanicOrLatino AmericanIndianOrAlaskaNative Asian BlackOrAfricanAmerican NativeHawaiianOrOtherPacificIslander White".split(),
    *"CurrentGrade EnrollmentStatus DistrictRenaissanceID DistrictSourcedID DistrictIdentifier DistrictStateID DistrictName".split(),
    *"SchoolRenaissanceID SchoolSourcedID SchoolIdentifier SchoolStateID SchoolName CourseRenaissanceID CourseSourcedID".split(),
    *"CourseCode CourseName ClassRenaissanceID ClassSourcedID ClassCode GroupID GroupOrClassName TeacherRenaissanceID".split(),
    *"TeacherSourcedID TeacherIdentifier TeacherUserID TeacherStateID TeacherEmail TeacherFirstName TeacherMiddleName".split(),
    *"TeacherLastName AssessmentID LaunchDate CompletedDate CompletedDateLocal AssessmentNumber AssessmentType".split(),
    *"AssessmentStatus DeactivationReason GradePlacement Grade ExtraTime ScaledScore StandardErrorOfMeasurement RaschScore".split(),
    *"UnifiedScore PartnershipForAssessmentOfReadinessForCollegeAndCareers SmarterBalancedAssessmentConsortium".split(),
    *"OpenGrowthScore GradeEquivalent PercentileRank NormalCurveEquivalent InstructionalReadingLevel".split(),
    *"EstimatedOralReadingFluency LowerZoneOfProximalDevelopment UpperZoneOfProximalDevelopment Lexile".split(),
    *"LowerLexileZoneOfProximalDevelopment UpperLexileZoneOfProximalDevelopment TotalTimeInSeconds TotalCorrect".split(),
    *"TotalPossible Grade3_AssessmentAttempts Grade3_PassingStatus Grade3_PassingScore".split(),
    *(f"StudentGrowthPercentile{pair}" for pair in ("FallFall", "FallSpring", "FallWinter", "SpringFall", "SpringSpring", "WinterSpring")),
    *"ScreeningPeriodWindowName ScreeningWindowStartDate ScreeningWindowEndDate".split(),
    *"RenaissanceBenchmarkCategoryName RenaissanceBenchmarkCategoryLevel RenaissanceBenchmarkCategoryNumberOfLevels".split(),
    *"RenaissanceBenchmarkCategoryMinPercentileRank RenaissanceBenchmarkCategoryMaxPercentileRank".split(),
    *"StateBenchmarkAssessmentName StateBenchmarkCategoryName StateBenchmarkProficient StateBenchmarkCategoryLevel".split(),
    *"StateBenchmarkNumberOfCategoryLevels StateBenchmarkMinScaledScore StateBenchmarkMaxScaledScore".split(),
    *(f"DistrictBenchmark{part}" for part in _BENCHMARK_RANGE),
    *(f"SchoolBenchmark{part}" for part in _BENCHMARK_RANGE),
    *"CurrentSGP TakenAt TakenAtByIPAddress StudentDisplayID TeacherDisplayID SATBenchmarkCategory ACTBenchmarkCategory".split(),
)

_BULK = ("sourcedId", "status", "dateLastModified")
ONEROSTER: dict[str, tuple[str, ...]] = {
    "academicSessions": (*_BULK, *"title type startDate endDate parentSourcedId schoolYear".split()),
    "orgs": (*_BULK, *"name type identifier parentSourcedId".split()),
    "courses": (*_BULK, *"schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes".split()),
    "classes": (
        *_BULK,
        *"title grades courseSourcedId classCode classType location schoolSourcedId termSourcedIds subjects subjectCodes periods".split(),
    ),
    "users": (
        *_BULK,
        *"enabledUser orgSourcedIds role username userIds givenName familyName middleName identifier email sms phone".split(),
        *"agentSourcedIds grades password".split(),
    ),
    "enrollments": (*_BULK, *"classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate".split()),
    "demographics": (
        *_BULK,
        *"birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican nativeHawaiianOrOtherPacificIslander white".split(),
        *"demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation cityOfBirth".split(),
        "publicSchoolResidenceStatus",
    ),
}

SIS_ATTENDANCE: tuple[str, ...] = tuple("Student_Number SchoolID Att_Date Att_Code Presence_Status_CD Att_Mode_Code PeriodID Total_Minutes".split())
SCHOOL_CALENDAR: tuple[str, ...] = tuple("school_id calendar_on is_in_session day_type school_year note".split())
PROGRAM_FLAGS: tuple[str, ...] = tuple("student_id program begin_on end_on".split())
CONTRACT_ROSTER: tuple[str, ...] = tuple(
    "contract_id student_id line_id school_id start_on end_on end_reason vendor_share substituted_for is_consented".split()
)
RULING: tuple[str, ...] = tuple("ruling_id ruled_on ruled_by party_roles subject contract_id student_id key value reason evidence_uri".split())
STATE_CANONICAL: tuple[str, ...] = tuple(
    "district_id state_test_id assessment_family subject tested_grade enrolled_grade school_year_end admin_window test_date state_student_id "
    "local_student_id testing_school_id accountable_school_id scale_score score_sem level_number level_label is_proficient percentile sgp "
    "status status_reason full_academic_year source_layout".split()
)
SESSIONS_FULL: tuple[str, ...] = tuple(
    "session_id student_id tutor_id session_topic session_date scheduled_start_at scheduled_duration_minutes actual_start_at actual_end_at "
    "student_joined_at student_left_at session_duration_minutes session_status attendance_status absence_reason delivery_mode group_size "
    "session_ratio program_id school_id participation_level".split()
)
SESSIONS_DATAS: tuple[str, ...] = tuple("student_id session_topic session_date session_duration session_ratio tutor_id".split())
